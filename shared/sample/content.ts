/** Where the bytes of samples lie. */

/** The sample's place in the content-addressed store, in DVC's layout. */
export const storedName = (project: string, md5: string): string =>
  `${project}/files/md5/${md5.slice(0, 2)}/${md5.slice(2)}`;
