import { REPORTS } from '../lib/runs/paths.ts'
import { openRun } from '../lib/runs/workspace.ts'
import { sourceNameOf } from '../lib/sources/registry.ts'
import { type AwsSettings, openStore } from '../lib/stores/open.ts'
import { reportData } from './collect.ts'
import { type CombinedPart, combinedPageOf } from './combined-page.ts'

/** One source and what became of it. */
export interface Ended {
  readonly source: string
  /** Absent where it failed before it was one. */
  readonly run: string | undefined
  readonly failure?: { readonly message: string; readonly hint: string | undefined }
}

/** Writes one page over several runs of a workspace, as `reports/<name>.html`. @returns where it lies */
export async function writeCombined(
  workspace: string,
  name: string,
  ends: readonly Ended[],
  aws: AwsSettings,
  signal: AbortSignal,
): Promise<string> {
  const parts: CombinedPart[] = []
  // One after the other: a file of verdicts may be large.
  for (const { source, run, failure } of ends) {
    const about = { source, sourceName: sourceNameOf(source), run }
    if (failure !== undefined) parts.push({ ...about, failure })
    else if (run !== undefined)
      parts.push({ ...about, data: await reportData(await openRun(workspace, run, aws), signal) })
  }
  const page = await combinedPageOf(parts)
  signal.throwIfAborted()
  const store = await openStore(workspace, aws)
  const key = `${REPORTS}${name}.html`
  if ((await store.text(key)) !== page) await store.write(key, page)
  return store.localPath?.(key) ?? store.uriOf(key)
}
