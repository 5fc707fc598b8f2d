/** What Azure Resource Manager refuses, in plain words: what is wrong, whether it passes, and what to do next. */
import * as z from 'zod';
import { RetryLater, TerminalError } from '../errors.ts';

const detail = z.looseObject({ code: z.string().optional(), message: z.string().optional() });
const armError = z.looseObject({ error: z.looseObject({ ...detail.shape, details: z.array(detail).optional() }) });

/** A service of Azure that runs trainings, as far as it is spoken of. */
export interface TrainingService {
  /** its resource provider */
  namespace: string;
  /** the role that the app needs, and on what */
  role: string;
  /** what there is to do where the thing that is asked for is missing */
  missing: string;
  /** what needs less quota */
  smaller: string;
}

interface Trouble {
  /** what a person finds as the reason of a failed run */
  code: string;
  /** which of ARM's codes or messages mean this */
  told: RegExp;
  statuses?: readonly number[];
  /** another try may succeed without anybody doing anything */
  passes: boolean;
  words: string | ((service: TrainingService) => string);
}

/** Most telling first. Codes: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors */
const troubles: readonly Trouble[] = [
  {
    code: 'provider-not-registered',
    told: /MissingSubscriptionRegistration|SubscriptionNotRegistered|not registered to use namespace/i,
    passes: false,
    words: ({ namespace }) =>
      `The subscription has not registered the service that runs trainings. Run \`az provider register --namespace ${namespace} --wait\`, then start the training again.`,
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
    words: ({ smaller }) =>
      `The quota of the subscription allows no further training machine in this region. Ask for more under Quotas in the portal, or ${smaller}.`,
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
    words: ({ role }) =>
      `The identity of the function app may not do this. It needs the role ${role}; deploying again assigns it.`,
  },
  {
    code: 'compute-missing',
    told: /ResourceNotFound|ResourceGroupNotFound|JobNotFound|SubscriptionNotFound/i,
    statuses: [404],
    passes: false,
    words: ({ missing }) => missing,
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

const wordsOf = ({ words }: Trouble, service: TrainingService): string =>
  typeof words === 'string' ? words : words(service);

/** The known trouble in a text that a service wrote, in plain words; undefined when the text is all there is to say. */
export function plainWords(service: TrainingService, said: string): { code: string; words: string } | undefined {
  const known = troubles.find(({ told }) => told.test(said));
  return known && { code: known.code, words: wordsOf(known, service) };
}

/**
 * The error to throw when ARM refused: a TerminalError with a code of its own when no repetition helps, otherwise a
 * RetryLater, with that code where the trouble is known, and the seconds that ARM asks to wait.
 */
export function refusal(
  service: TrainingService,
  what: string,
  status: number,
  body: unknown,
  retryAfterSeconds?: number,
): TerminalError | RetryLater {
  const said = saidIn(body);
  const known = troubles.find(({ told }) => told.test(said)) ?? troubles.find((t) => t.statuses?.includes(status));
  const answer = `Azure answered ${status}${said === '' ? '' : `, ${said}`}`;
  const message =
    known === undefined
      ? `${what} was refused: ${answer}`
      : `${what} was refused. ${wordsOf(known, service)} (${answer})`;
  if (known !== undefined && !known.passes) return new TerminalError(known.code, message);
  return new RetryLater(message, {
    ...(known === undefined ? {} : { code: known.code }),
    ...(retryAfterSeconds === undefined ? {} : { afterSeconds: retryAfterSeconds }),
  });
}
