import { setTimeout as delay } from 'node:timers/promises'

/** A row as text, so that both engines' rows can be held against each other. */
export type Row = readonly (string | null)[]

interface Page {
  readonly nextUri?: string
  readonly data?: unknown[][]
  readonly error?: { readonly message: string; readonly errorName: string }
}

/** Runs one statement in schema `memory.default`: Trino REST API, client protocol. @throws Error with Trino's words */
export async function ask(url: string, sql: string): Promise<Row[]> {
  const headers = { 'X-Trino-User': 'test', 'X-Trino-Catalog': 'memory', 'X-Trino-Schema': 'default' }
  let page = await pageOf(await fetch(`${url}/v1/statement`, { method: 'POST', body: sql, headers }))
  const rows: Row[] = []
  for (;;) {
    if (page.error !== undefined)
      throw new Error(`${page.error.errorName}: ${page.error.message}\n${sql.slice(0, 4000)}`)
    rows.push(...(page.data ?? []).map(asText))
    if (page.nextUri === undefined) return rows
    page = await pageOf(await fetch(page.nextUri))
  }
}

/** Numbers, strings and nulls as both engines hand them over. */
export const asText = (row: readonly unknown[]): Row => row.map((cell) => (cell === null ? null : String(cell)))

async function pageOf(answer: Response): Promise<Page> {
  if (answer.status === 503) {
    await delay(100)
    return pageOf(await fetch(answer.url))
  }
  if (!answer.ok) throw new Error(`Trino answers ${answer.status}: ${(await answer.text()).slice(0, 500)}`)
  return (await answer.json()) as Page
}
