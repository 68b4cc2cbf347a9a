import { awsOf, stackOutputs } from '../lib/aws/settings.ts'
import { type CommandResult, defineCommand } from '../lib/cli/command.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { table } from '../lib/cli/format.ts'
import { suggestion } from '../lib/cli/nearest.ts'
import { argument, flag, number, parsed, text, type Values } from '../lib/cli/options.ts'
import { awsOptions, runOptions } from '../lib/cli/shared-options.ts'
import { athenaOptions } from '../lib/engines/athena/athena.ts'
import { sourceInForm } from '../lib/engines/athena/form.ts'
import type { ExtractSettings } from '../lib/engines/render.ts'
import { otherDefinition } from '../lib/runs/definition.ts'
import { windowOfRequest } from '../lib/runs/request.ts'
import type { Run } from '../lib/runs/run.ts'
import { chosenRun } from '../lib/runs/workspace.ts'
import { ownSources } from '../lib/sources/own/own.ts'
import { sourceOf } from '../lib/sources/registry.ts'
import { sourceFor } from '../lib/sources/source.ts'
import type { AwsSettings } from '../lib/stores/open.ts'
import { renderAnswer } from './answer.ts'
import { askAthena, textForAthena } from './athena.ts'
import { askDuckdb } from './duckdb.ts'
import { findQuestion, questions, statementOf } from './question.ts'

const { overwrite: _, dryRun: __, ...guarded } = runOptions

const options = {
  file: argument({
    about: 'file with one SELECT over accesses or classified; without it, the questions of sql/explore are listed',
    value: 'FILE',
  }),
  print: flag({ about: 'show the whole statement for the Athena console, and run nothing' }),
  csv: flag({ about: 'the rows as CSV, with a header' }),
  limit: number({ about: 'most rows to show', default: 100, min: 1, max: 1_000_000, integer: true }),
  entity: text({ about: 'entity of classified (default: as extracted, else the first of the source)', value: 'NAME' }),
  entityName: text({ about: 'name of an entity, as in the logs, for questions about one', value: 'NAME' }),
  ip: parsed({ about: 'an address, for questions about one', value: 'ADDRESS', parse: addressIn }),
  ...guarded,
  ...athenaOptions,
  ...awsOptions,
}

function addressIn(input: string): string {
  if (!/^[\da-f]*[.:][\da-f.:]+$/i.test(input)) throw new Error('must be an address, such as 203.0.113.9')
  return input
}

type Options = Values<typeof options>

export const command = defineCommand({
  name: 'query',
  summary: 'ask a question about the staged logs of a run',
  description:
    'Runs a query of sql/explore, or one of your own, on the engine of the workspace: DuckDB for a folder, Athena for S3. A query reads two relations: accesses, one row per record with the columns of sql/<source>/accesses.*.sql; and classified, one row per access with entity, ip, part and the reason why it is not a pair. Columns whose name ends in time are shown as times. Entities of classified, in columns whose name ends in entity, are shown as in the logs; CSV spells out hidden characters. In JSON, numbers are numbers, except whole numbers beyond 2^53 − 1, which stay text. Files that extract --skip-bad-files left out are left out here, too.',
  examples: [
    { run: 'npx zx scripts/query.mjs', does: 'lists the questions' },
    {
      run: 'npx zx scripts/query.mjs --run latest sql/explore/new-ips.sql',
      does: 'which addresses appear only in the last part of the window?',
    },
    {
      run: 'npx zx scripts/query.mjs --run latest sql/explore/shared-ips.sql --csv --limit 10000',
      does: 'as CSV',
    },
    {
      run: 'npx zx scripts/query.mjs --run latest sql/explore/entities-of-address.sql --ip 203.0.113.9',
      does: 'who comes from this address, and from the network around it?',
    },
    {
      run: 'npx zx scripts/query.mjs --workspace s3://org-staging/prestage sql/explore/root-usage.sql --print',
      does: 'shows the statement to paste into the Athena console; runs nothing',
    },
  ],
  stackOutputs,
  ownSources,
  options,
  async run(context, values) {
    if (values.file === undefined) return listed(await questions())
    const aws: AwsSettings = { ...values, ...awsOf(values, context) }
    const question = await findQuestion(values.file)
    const run = await chosenRun(values, context)
    const athena = run.folder === undefined
    const given = settingsOf(run, values.entity)
    const changed = await otherDefinition(run)
    if (changed !== undefined) context.talk.warn(changed)
    const settings = athena ? { ...given, source: await sourceInForm(given.source, run) } : given
    const named = { ...settings, entityName: values.entityName, ip: values.ip }
    const statement = statementOf(question, settings.source, named, athena || values.print ? 'athena' : 'duckdb')
    const query = { context, run, settings, statement }
    if (values.print) {
      if (!athena)
        context.talk.info(
          `Athena does not see run ${run.id}, which lies in a folder: replace it with the id of a run in S3`,
        )
      return printed(await textForAthena(query, values.database))
    }
    const answer = athena ? await askAthena(query, { ...values, ...aws }) : await askDuckdb(query, values.limit)
    const asked = { run: run.id, question: question.name, engine: athena ? 'athena' : 'duckdb' } as const
    return renderAnswer(asked, answer, { csv: values.csv, classified: statement.classified })
  },
})

/** Settings of the relation `classified`: as extracted, if the run was extracted. */
function settingsOf(run: Run, wanted: Options['entity']): ExtractSettings {
  const source = sourceOf(run.request.source)
  const { from, to } = windowOfRequest(run.request)
  const extracted = run.isDone('extract') ? run.result('extract') : undefined
  const entity = wanted ?? extracted?.entity ?? source.defaultEntity
  if (!Object.hasOwn(source.entities, entity))
    throw new UsageError(`${source.id} has no entity "${entity}"`, suggestion(entity, Object.keys(source.entities)))
  const cutoff = extracted === undefined ? lastFifth(from, to) : run.holdout().from
  const { includePrivate = false } = extracted ?? {}
  const ipv6 = extracted === undefined || extracted.ipv6 !== undefined
  return { source: sourceFor(source, entity), entity, from, to, cutoff, includePrivate, dedupe: false, ipv6 }
}

const lastFifth = (from: Date, to: Date): Date =>
  new Date(Math.round(to.getTime() - (to.getTime() - from.getTime()) / 5))

const printed = (sql: string): CommandResult => ({ json: { sql: `${sql};` }, text: `${sql};` })

function listed(all: Awaited<ReturnType<typeof questions>>): CommandResult {
  const rows = all.map(({ name, source, purpose }) => [`sql/explore/${name}.sql`, source ?? 'any', purpose])
  return {
    json: {
      questions: all.map(({ name, source, purpose }) => ({
        file: `sql/explore/${name}.sql`,
        source: source ?? null,
        purpose,
      })),
    },
    text: table([['file', 'source', 'asks'], ...rows]),
  }
}
