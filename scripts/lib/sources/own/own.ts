import { withSources } from '../registry.ts'

/** The section `sources` of a configuration file. */
export interface Section {
  readonly file: string
  readonly content: unknown
  lineOf(keys: readonly unknown[]): number
}

/** Makes the sources of a configuration file known while some work runs. @throws UsageError naming the line of what is wrong */
export async function ownSources<T>(section: Section | undefined, work: () => Promise<T>): Promise<T> {
  if (section === undefined) return work()
  // What checks them loads only where there are some: help stays quick.
  const { sourcesIn } = await import('./section.ts')
  return withSources(sourcesIn(section), work)
}
