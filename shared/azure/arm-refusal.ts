/** What Azure Resource Manager refuses, in plain words: what is wrong, whether it passes, and what to do next. */
import * as z from 'zod';
import { RetryLater, TerminalError } from '../errors.ts';

const detail = z.looseObject({ code: z.string().optional(), message: z.string().optional() });
const armError = z.looseObject({ error: z.looseObject({ ...detail.shape, details: z.array(detail).optional() }) });

interface Trouble {
  /** what a person finds as the reason of a failed run */
  code: string;
  /** which of ARM's codes or messages mean this */
  told: RegExp;
  statuses?: readonly number[];
  /** another try may succeed without anybody doing anything */
  passes: boolean;
  words: string;
}

/** Most telling first. Codes: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors */
const troubles: readonly Trouble[] = [
  {
    code: 'provider-not-registered',
    told: /MissingSubscriptionRegistration|SubscriptionNotRegistered|not registered to use namespace/i,
    passes: false,
    words:
      'The subscription has not registered the service that runs trainings. Run `az provider register --namespace Microsoft.App --wait`, then start the training again.',
  },
  {
    code: 'subscription-disabled',
    told: /ReadOnlyDisabledSubscription|SubscriptionDisabled|DisabledSubscription/i,
    passes: false,
    words: 'The subscription is disabled or over its spending limit. Enable it in the portal.',
  },
  {
    code: 'policy-forbids',
    told: /RequestDisallowedByPolicy|DisallowedByPolicy/i,
    passes: false,
    words: 'A policy of the subscription forbids it. Ask whoever assigned the policy.',
  },
  {
    code: 'preempted',
    told: /preempted|evicted|\bspot\b|LowPriority/i,
    passes: true,
    words: 'The machine was taken back for other customers. Another one is asked for.',
  },
  {
    code: 'image-missing',
    told: /MANIFEST_UNKNOWN|NAME_UNKNOWN|ContainerAppImageRequired|manifest .*not found/i,
    passes: false,
    words:
      'The training image does not exist where the job looks for it. Deploy again with TRAINER_IMAGE set to an image that exists.',
  },
  {
    code: 'image-pull',
    told: /ImagePull|ErrImage|unable to pull|pull rate limit|containers\.[^ ]*\.?image' is invalid|UNAUTHORIZED.*registr/i,
    passes: true,
    words:
      'The training image could not be pulled. It must be public, or come from the registry that the job may pull from; registries also limit how often.',
  },
  {
    code: 'compute-quota',
    told: /quota|maximum allowed cores|CoresExceeded|exceed(s|ed|ing)?\b.*\b(limit|cores)|InsufficientSubscription/i,
    passes: true,
    words:
      'The quota of the subscription allows no further training machine in this region. Ask for more under Quotas in the portal, or deploy with compute = cpu.',
  },
  {
    code: 'compute-capacity',
    told: /SkuNotAvailable|AllocationFailed|capacity|untolerated taint|nodes are available/i,
    passes: true,
    words: 'Azure has no free machine of this kind in the region now.',
  },
  {
    code: 'compute-throttled',
    told: /TooManyRequests|throttl/i,
    statuses: [429],
    passes: true,
    words: 'Azure takes no more requests for the moment.',
  },
  {
    code: 'compute-forbidden',
    told: /AuthorizationFailed|LinkedAuthorizationFailed|AuthenticationFailed|InvalidAuthenticationToken/i,
    statuses: [401, 403],
    // a role works minutes after it was assigned, and the first training may come before
    passes: true,
    words:
      'The identity of the function app may not do this. It needs the role Container Apps Jobs Operator on the training job; deploying again assigns it.',
  },
  {
    code: 'compute-missing',
    told: /ResourceNotFound|ResourceGroupNotFound|JobNotFound|SubscriptionNotFound/i,
    statuses: [404],
    passes: false,
    words: 'There is no such training job. Compare COMPUTE__jobId with what is deployed, or deploy again.',
  },
];

const maxSaidCharacters = 500;

/** What ARM says, without the envelopes: `Code: message`, the innermost last. */
function saidIn(body: unknown): string {
  const parsed = armError.safeParse(body);
  if (!parsed.success)
    return (typeof body === 'string' ? body : (JSON.stringify(body) ?? '')).slice(0, maxSaidCharacters);
  const { error } = parsed.data;
  const parts = [error, ...(error.details ?? [])].map(({ code, message }) =>
    [code, message].filter(Boolean).join(': '),
  );
  return parts.filter(Boolean).join('; ').slice(0, maxSaidCharacters);
}

/** The known trouble in a text that Azure wrote, in plain words; undefined when the text is all there is to say. */
export function plainWords(said: string): { code: string; words: string } | undefined {
  return troubles.find(({ told }) => told.test(said));
}

/**
 * The error to throw when ARM refused: a TerminalError with a code of its own when no repetition helps, otherwise a
 * RetryLater, with that code where the trouble is known, and the seconds that ARM asks to wait.
 */
export function refusal(
  what: string,
  status: number,
  body: unknown,
  retryAfterSeconds?: number,
): TerminalError | RetryLater {
  const said = saidIn(body);
  const known = troubles.find(({ told }) => told.test(said)) ?? troubles.find((t) => t.statuses?.includes(status));
  const answer = `Azure answered ${status}${said === '' ? '' : `, ${said}`}`;
  const message =
    known === undefined ? `${what} was refused: ${answer}` : `${what} was refused. ${known.words} (${answer})`;
  if (known !== undefined && !known.passes) return new TerminalError(known.code, message);
  return new RetryLater(message, {
    ...(known === undefined ? {} : { code: known.code }),
    ...(retryAfterSeconds === undefined ? {} : { afterSeconds: retryAfterSeconds }),
  });
}
