/** Where samples and pixels lie among the documents. */

/** Partition of a sample by its md5, and of pixels by their digest: 256 per project. */
export const samplePartition = (project: string, digest: string): string => `${project}:${digest.slice(0, 2)}`;
