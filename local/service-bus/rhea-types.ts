/** The parts of rhea that the broker uses and that its typings leave out. */
import rhea from 'rhea';

export interface Terminus {
  address?: string;
  filter?: Record<string, unknown> | null;
}

export interface Link {
  name: string;
  source?: Terminus;
  target?: Terminus;
  session: { each_sender(visit: (sender: SenderLink) => void): void; outgoing: { available(): number } };
  local: { attach: Record<string, unknown> };
  remote: { attach: { snd_settle_mode?: number; rcv_settle_mode?: number } };
  set_source(terminus: Terminus): void;
  set_target(terminus: Terminus): void;
  is_open(): boolean;
  is_sender(): boolean;
  close(error?: { condition: string; description: string }): void;
}

/** We send, the client receives. */
export interface SenderLink extends Link {
  credit: number;
  delivery_count: number;
  issue_flow: boolean;
  send(message: unknown, tag?: Buffer, format?: number): DeliveryHandle;
  set_drained(drained: boolean): void;
}

/** The client sends, we receive. */
export interface ReceiverLink extends Link {
  add_credit(credit: number): void;
}

export interface DeliveryHandle {
  accept(): void;
  reject(error: { condition: string; description: string; info?: Record<string, unknown> }): void;
  update(settled: boolean, state?: unknown): void;
  remote_settled: boolean;
  remote_state?: {
    error?: { info?: Record<string, unknown> | null } | null;
    message_annotations?: Record<string, unknown> | null;
    undeliverable_here?: boolean;
  };
}

export interface EventContext {
  connection: {
    close(error: { condition: string; description: string }): void;
    local_channel_map?: Record<string, { each_sender(visit: (sender: SenderLink) => void): void }>;
  };
  session: object;
  sender: SenderLink;
  receiver: ReceiverLink;
  delivery: DeliveryHandle;
  message: unknown;
  format?: number;
}

interface Described {
  described(): unknown;
}
interface MessageCodec {
  decode(bytes: Buffer): {
    body: unknown;
    message_id?: unknown;
    reply_to?: string;
    application_properties?: Record<string, unknown>;
  };
  accepted(): Described;
  rejected(fields?: object): Described;
  released(): Described;
  modified(fields: object): Described;
}
interface Types {
  wrap_int(value: number): unknown;
  wrap_symbol(value: string): unknown;
  wrap_array(values: unknown[], typecode: number): unknown;
}

export const codec = rhea.message as unknown as MessageCodec;
export const types = rhea.types as unknown as Types;

/**
 * rhea decodes messages of format 0 before it hands them over, which loses AMQP types;
 * under this private format number it passes the bytes on.
 */
export function keepMessageBytes(session: object, isRequest: (link: Link) => boolean): void {
  type Transfer = (frame: { performative: { message_format?: number } }, link: Link) => unknown;
  const { incoming } = session as { incoming: { on_transfer: Transfer } };
  const original = incoming.on_transfer;
  incoming.on_transfer = function onTransfer(frame, link) {
    if (!isRequest(link) && !frame.performative.message_format) frame.performative.message_format = 1;
    return original.call(this, frame, link);
  };
}
