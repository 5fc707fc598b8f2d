/** App settings as triggers use them. */

/** Replaces every `%NAME%` by that app setting; throws for a setting that is not there. */
export function expandSettings(text: string, settings: Record<string, string>): string {
  return text.replaceAll(/%([^%\s]+)%/g, (whole, name: string) => {
    const value = settings[name];
    if (value === undefined) throw new Error(`'${whole}' does not resolve to a value: no such app setting`);
    return value;
  });
}

/** The Service Bus connection string a trigger's `connection` names; throws when it is missing or identity-based. */
export function connectionString(connection: string, settings: Record<string, string>): string {
  const value = settings[`AzureWebJobs${connection}`] ?? settings[connection];
  if (value) return value;
  if (settings[`${connection}__fullyQualifiedNamespace`]) {
    throw new Error(`connection '${connection}' is identity-based; the local host needs a connection string`);
  }
  throw new Error(`Service Bus connection string '${connection}' is missing or empty in the app settings`);
}
