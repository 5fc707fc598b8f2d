/** What `npm start` prints: where everything is, the key, and three things to try. */

export interface QuickStart {
  api: string;
  addresses: Record<string, string>;
  /** the key, at the first start only; afterwards when it was made */
  key: { key: string } | { createdAt: string };
  dataDir: string;
  logFile: string;
  /** for `node --env-file` */
  settingsFile: string;
  /** folder of `<label>/<file>` images */
  examples: string;
}

/** The text; every command in it works when pasted into a POSIX shell. */
export function quickStart(about: QuickStart): string {
  const { api, addresses, key, settingsFile, examples } = about;
  const another = `npm exec -c 'node --env-file="${settingsFile}" cli/create-key.ts --role operator --name another'`;
  const known = 'key' in key;
  const urlOf = `sed 's/.*"url":"\\([^"]*\\)".*/\\1/'`;
  const json = `-H "x-api-key: $KEY" -H 'content-type: application/json'`;
  return `
${Object.entries({ api, ...addresses })
  .map(([name, address]) => `  ${name.padEnd(11)} ${address}`)
  .join('\n')}
  data        ${about.dataDir} (log: ${about.logFile})

${
  known
    ? `Your first API key, shown this once and stored only as its hash:\n\n  export KEY=${key.key}`
    : `The first API key was shown when it was made, at the first start (${key.createdAt}). Make another with\n\n  export KEY=$(${another})`
}

Three things to try, at later starts as well: what is there already stays as it is.

  1. Create a project:

     curl -X PUT ${api}/projects/try-it ${json} -d '{}'

  2. Upload: each image gets a write-once address, then goes to storage itself. 400 scanned digits are in ${examples}. Shown is how many
     ended with which status: 201 is stored, 403 is there already.

     for f in "${examples}"/*/*.png; do
       url=$(curl -s ${api}/projects/try-it/upload-urls ${json} \\
         -d "{\\"files\\":[{\\"name\\":\\"$(basename "$f")\\",\\"label\\":\\"$(basename "$(dirname "$f")")\\",\\"contentType\\":\\"image/png\\"}]}" | ${urlOf})
       curl -s -o /dev/null -w '%{http_code}\\n' -X PUT -H 'x-ms-blob-type: BlockBlob' -H 'content-type: image/png' --data-binary "@$f" "$url"
     done | sort | uniq -c
     curl -H "x-api-key: $KEY" ${api}/projects/try-it

  3. Score, when the model that trains by itself is live (some 20 s after the uploads; 503 until then):

     curl ${api}/projects/try-it/score -H "x-api-key: $KEY" -H 'content-type: image/png' --data-binary "@${examples}/unseen-7.png"

Ctrl-C stops everything; the next start carries on.
`;
}
