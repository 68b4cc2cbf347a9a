import { REPORTS } from '../lib/runs/paths.ts'
import { windowOfRequest } from '../lib/runs/request.ts'
import type { Run } from '../lib/runs/run.ts'
import { compactTime } from '../lib/runs/window.ts'
import { type AwsSettings, openStore } from '../lib/stores/open.ts'
import type { ObjectInfo, Store } from '../lib/stores/store.ts'

/** Reports over several runs, one of which is this one: they name its entities. Keys are relative to the workspace. */
export async function pagesAbout(run: Run, aws: AwsSettings = {}): Promise<{ root: Store; pages: ObjectInfo[] }> {
  const root = await openStore(run.workspace, aws)
  const { from, to } = windowOfRequest(run.request)
  const window = `-${compactTime(from)}-${compactTime(to)}-`
  const pages: ObjectInfo[] = []
  for await (const page of root.list({ prefix: REPORTS }))
    if (page.key.includes(window) && (await root.text(page.key))?.includes(run.id)) pages.push(page)
  return { root, pages }
}
