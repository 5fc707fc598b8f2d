/** Takes out of a text what would let its reader in. */

/** What gives access, with what stays of it: signatures of addresses, keys of this API, and of services in connection strings. */
const patterns: [RegExp, string][] = [
  [/([?&](?:sig|code)=)[^&\s"'\\]+/gi, '$1***'],
  [/\bdk_[A-Za-z0-9_-]{20,}/g, 'dk_***'],
  [/((?:SharedAccessKey|AccountKey|SharedAccessSignature|InstrumentationKey)=)[^;\s"'\\]+/gi, '$1***'],
  [/(\bBearer\s+)[\w.~+/=-]{16,}/gi, '$1***'],
];

/** The text without its secrets. */
export const withoutSecrets = (text: string): string =>
  patterns.reduce((left, [pattern, kept]) => left.replaceAll(pattern, kept), text);
