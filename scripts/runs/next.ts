import { resolve } from 'node:path'

/** The command line that takes a run's next step; names the workspace where it is not the default. */
export function nextCommand(step: string, run: { readonly id: string; readonly uri: string }): string {
  const workspace = run.uri.replace(/\/runs\/[^/]+$/, '')
  const where = workspace === resolve('workspace') ? '' : ` --workspace ${quoted(workspace)}`
  return `npx zx scripts/${step}.mjs --run ${run.id}${where}`
}

/** For copying into a shell; nothing here is ever run through one. */
const quoted = (text: string): string => (/^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)
