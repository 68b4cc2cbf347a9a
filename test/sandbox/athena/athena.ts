import type { S3State } from '../s3/state.ts'
import { Catalog } from './catalog.ts'
import { Queries } from './queries.ts'
import type { Query, State } from './query.ts'
import { Runner } from './runner.ts'
import { type AthenaSettings, defaultSettings } from './settings.ts'
import type { Shared } from './shared.ts'
import { Parser } from './syntax-tree.ts'

/** The Athena of a sandbox, as a test reaches into it. */
export class Athena {
  readonly settings: AthenaSettings = defaultSettings()
  readonly catalog = new Catalog()
  readonly queries: Queries
  readonly runner: Runner
  readonly s3: S3State
  readonly #parser = new Parser()

  /** @param broken is told of bugs of the sandbox */
  constructor(s3: S3State, broken: (error: unknown) => void) {
    const shared: Shared = { s3, catalog: this.catalog, settings: this.settings }
    this.s3 = s3
    this.runner = new Runner(shared, broken)
    this.queries = new Queries(shared, this.runner, this.#parser)
  }

  /** Move what is under way, or only one query, by so many steps. */
  async advance(steps = 1, id?: string): Promise<void> {
    for (let i = 0; i < steps; i++) await Promise.all(this.#underWay(id).map((query) => this.runner.step(query)))
  }

  /** Move what is under way, or only one query, until it has ended or is queued. @returns the state of the last one */
  async settle(id?: string): Promise<State | undefined> {
    while (this.#underWay(id).length > 0) await this.advance(1, id)
    return (id === undefined ? this.queries.all.at(-1) : this.queries.find(id))?.state
  }

  /** Let queued queries go on. */
  release(): void {
    this.settings.queue = false
    for (const query of this.queries.all) this.runner.start(query)
  }

  /** Makes all that has ended older: managed results are kept for 24 hours, queries for 45 days. */
  age(hours: number): void {
    for (const query of this.queries.all)
      if (query.completed !== undefined) query.completed = new Date(query.completed.getTime() - hours * 3_600_000)
  }

  #underWay(id: string | undefined): Query[] {
    return this.queries.all.filter((query) => this.runner.canMove(query) && (id === undefined || query.id === id))
  }

  async close(): Promise<void> {
    this.runner.close()
    await this.#parser.close()
  }
}
