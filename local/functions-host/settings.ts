/** App settings as triggers use them. */

/** Replaces every `%NAME%` by that app setting; throws for a setting that is not there. */
export function expandSettings(text: string, settings: Record<string, string>): string {
  return text.replaceAll(/%([^%\s]+)%/g, (whole, name: string) => {
    const value = settings[name];
    if (value === undefined) throw new Error(`'${whole}' does not resolve to a value: no such app setting`);
    return value;
  });
}

export type ServiceBusConnection =
  | { connectionString: string }
  | { fullyQualifiedNamespace: string; clientId: string | undefined };

/** What a trigger's `connection` names: a connection string, or a namespace and the identity that is used there. Throws when it is missing. */
export function serviceBusConnection(connection: string, settings: Record<string, string>): ServiceBusConnection {
  const value = settings[`AzureWebJobs${connection}`] ?? settings[connection];
  if (value) return { connectionString: value };
  const fullyQualifiedNamespace = settings[`${connection}__fullyQualifiedNamespace`];
  if (fullyQualifiedNamespace) {
    if (settings[`${connection}__credential`] !== 'managedidentity')
      throw new Error(
        `'${connection}__credential' must be 'managedidentity': a namespace without a key needs an identity`,
      );
    return { fullyQualifiedNamespace, clientId: settings[`${connection}__clientId`] };
  }
  throw new Error(`Service Bus connection string '${connection}' is missing or empty in the app settings`);
}
