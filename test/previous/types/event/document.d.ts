/** The document of an event. */
/** pk: project; id derives from the cause. The audit trail and activity feed. */
export interface EventDocument {
  id: string;
  pk: string;
  type: string;
  subject: string;
  /** a sentence for people */
  text: string;
  at: string;
  cause: string | null;
  by: string | null;
}
