/** HTTP without streams: the whole request and the whole response travel through the host. */
import { STATUS_CODES, type ServerResponse } from 'node:http';
import { answerEmpty, failureStatus, headerTexts, queryTexts, type HttpCall } from './http-call.ts';
import { newTraceContext, type Invoke } from './invoker.ts';
import type { HttpCookie, HttpData } from './protocol.ts';

const nullable = (texts: Record<string, string>) =>
  Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, { value }]));

/** The body, or undefined when it is larger than allowed. */
async function readBody({ request, maxBodyBytes }: HttpCall): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The host shows the path decoded (GetDisplayUrl of ASP.NET), the query as it came. */
function displayUrl(url: URL): string {
  const path = decodeURIComponent(url.pathname.replaceAll(/%(2f|3f|23|25)/gi, '%25$1'));
  return `${url.origin}${path}${url.search}`;
}

function cookieText(cookie: HttpCookie): string {
  const sameSite = { lax: 'Lax', strict: 'Strict', explicitNone: 'None' }[cookie.sameSite ?? ''];
  const expires = cookie.expires ? new Date((cookie.expires.value.seconds ?? 0) * 1000).toUTCString() : undefined;
  const attributes = [
    `${cookie.name}=${encodeURIComponent(cookie.value)}`,
    cookie.domain && `Domain=${cookie.domain.value}`,
    cookie.path && `Path=${cookie.path.value}`,
    expires && `Expires=${expires}`,
    cookie.maxAge && `Max-Age=${cookie.maxAge.value}`,
    cookie.secure?.value && 'Secure',
    cookie.httpOnly?.value && 'HttpOnly',
    sameSite && `SameSite=${sameSite}`,
  ];
  return attributes.filter(Boolean).join('; ');
}

/** headers that describe the transfer, which is this server's business */
const transferHeaders = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding']);

function answer(response: ServerResponse, http: HttpData | undefined): void {
  if (response.headersSent) return; // the gateway gave up before
  if (!http) return answerEmpty(response, 204);
  const status = Number(http.statusCode);
  if (!(status in STATUS_CODES) && !(status >= 200 && status <= 599)) return answerEmpty(response, 500);
  for (const [name, value] of Object.entries(http.headers ?? {})) {
    if (!transferHeaders.has(name.toLowerCase())) response.setHeader(name, value);
  }
  if (http.cookies && http.cookies.length > 0) {
    const own = response.getHeader('set-cookie');
    response.setHeader('set-cookie', [...(own === undefined ? [] : [String(own)]), ...http.cookies.map(cookieText)]);
  }
  response.writeHead(status).end(http.body?.bytes ?? http.body?.string);
}

/** Reads the request, runs the function, writes its response: 204 for undefined, 500 for an error, 413 for a body too large. */
export async function answerClassic(call: HttpCall, invoke: Invoke): Promise<void> {
  const { request, response } = call;
  const body = await readBody(call);
  if (!body) return answerEmpty(response.setHeader('connection', 'close'), 413);
  const headers = headerTexts(request);
  const query = queryTexts(call.url);
  const http: HttpData = {
    method: request.method ?? 'GET',
    url: displayUrl(call.url),
    headers,
    nullableHeaders: nullable(headers),
    nullableParams: nullable(call.params),
    nullableQuery: nullable(query),
    ...(body.length > 0 && { body: { bytes: body } }),
  };
  let returned: HttpData | undefined;
  try {
    const value = await invoke(call.function, {
      data: { http },
      triggerMetadata: {},
      invocationId: call.invocationId,
      traceContext: newTraceContext(headers['traceparent'], headers['tracestate']),
    });
    returned = value?.http;
  } catch (error) {
    return answerEmpty(response, failureStatus(error));
  }
  answer(response, returned);
}
