/** Messages between the host and its worker process; the shapes follow the gRPC contract of the real Functions host. */

/** One value on its way to or from a function. Exactly one property is set. */
export interface TypedData {
  string?: string;
  json?: string;
  bytes?: Uint8Array;
  int?: number;
  double?: number;
  http?: HttpData;
}

export interface HttpCookie {
  name: string;
  value: string;
  domain?: { value: string };
  path?: { value: string };
  expires?: { value: { seconds?: number } };
  secure?: { value: boolean };
  httpOnly?: { value: boolean };
  sameSite?: string;
  maxAge?: { value: number };
}

export interface HttpData {
  method?: string;
  url?: string;
  statusCode?: string;
  headers?: Record<string, string>;
  nullableHeaders?: Record<string, { value: string }>;
  nullableParams?: Record<string, { value: string }>;
  nullableQuery?: Record<string, { value: string }>;
  body?: TypedData | null;
  cookies?: HttpCookie[];
}

export interface TraceContext {
  traceParent: string;
  traceState: string;
  attributes: Record<string, string>;
}

export interface InvocationRequest {
  invocationId: string;
  functionId: string;
  inputData: { name: string; data: TypedData }[];
  triggerMetadata: Record<string, TypedData>;
  traceContext: TraceContext;
}

export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

export interface WorkerLog {
  level: LogLevel;
  message: string;
  category: string;
  functionName?: string;
  invocationId?: string;
}

/** A function as the app registered it: `rawBindings` are JSON texts, trigger included. */
export interface ReportedFunction {
  name: string;
  rawBindings: string[];
}

/** All that the real worker tells its host of an error; causes and other properties are lost on the way. */
export interface ReportedError {
  message: string;
  stack: string;
}

export type HostMessage =
  | { type: 'start'; appRoot: string; entry: string; env: Record<string, string> }
  | { type: 'invoke'; request: InvocationRequest }
  | { type: 'terminate' };

export type WorkerMessage =
  | { type: 'started'; functions: ReportedFunction[]; httpUri?: string }
  | { type: 'startFailed'; error: ReportedError; registered: number }
  | { type: 'succeeded'; invocationId: string; returnValue?: TypedData }
  | { type: 'failed'; invocationId: string; error: ReportedError }
  | { type: 'log'; log: WorkerLog };
