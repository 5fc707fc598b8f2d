/** The document of an endpoint. */
import type { DocumentBase } from '../delivery/document.ts';
import type { Endpoint } from './endpoint.ts';
/** id: `endpoint`; pk: project */
export interface EndpointDocument extends DocumentBase, Endpoint {}
