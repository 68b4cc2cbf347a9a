import { awsOf, stackOutputs } from '../lib/aws/settings.ts'
import { type Context, defineCommand } from '../lib/cli/command.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { runInService } from '../lib/runs/models.ts'
import { ownSources } from '../lib/sources/own/own.ts'
import { openStore } from '../lib/stores/open.ts'
import { isUrl, type ScoreOptions, scoreOptions } from './options.ts'
import { noFindings, scoreFiles, scoreRun } from './run.ts'

export const command = defineCommand({
  name: 'score',
  summary: 'judge pairs: which accesses do not fit their entity?',
  description:
    'Judges every distinct pair of the holdout, of another run or of files, in this process, through an endpoint, or in a SageMaker batch transform. Pairs that score below the threshold are flagged; the threshold follows from the holdout and the alert budget. Entities that the model has never or rarely seen are reported as such, never as normal. The verdicts on each run are kept apart.',
  examples: [
    { run: 'npx zx scripts/score.mjs --run latest --alerts-per-day 5', does: 'judges the holdout' },
    {
      run: 'npx zx scripts/score.mjs --run latest --allow 203.0.113.0/24 --endpoint http://127.0.0.1:8080',
      does: 'through an endpoint; never flags the office network',
    },
    {
      run: 'npx zx scripts/score.mjs --run latest --allow allow.yaml --networks GeoLite2-ASN.mmdb',
      does: 'allows what the file says, until when it says; names the network of every address',
    },
    {
      run: 'npx zx scripts/score.mjs --run latest --from-run cloudtrail-20260312T0000Z-20260313T0000Z-3f9a1c',
      does: 'judges the next day with the model of an earlier window',
    },
    {
      run: 'npx zx scripts/score.mjs --model current --source cloudtrail --from-run latest',
      does: 'judges the latest run with the model that nightly has in service',
    },
    {
      run: 'npx zx scripts/score.mjs --run latest --findings asff --findings-account 111122223333 --findings-region us-east-1',
      does: 'also writes findings for AWS Security Hub',
    },
    { run: 'npx zx scripts/score.mjs --pairs pairs.csv --model ./model', does: 'judges files without a run' },
    {
      run: 'npx zx scripts/score.mjs --pairs pairs.csv --endpoint prestage-files --aws-region us-east-1',
      does: 'judges files with the model that a SageMaker endpoint serves',
    },
    {
      run: 'npx zx scripts/score.mjs --workspace s3://org-staging/prestage --run latest',
      does: 'a run in S3, through the SageMaker endpoint that deploy made',
    },
    {
      run: 'npx zx scripts/score.mjs --workspace s3://org-staging/prestage --via transform --max-cost 1',
      does: 'the same in a batch transform, without an endpoint',
    },
  ],
  stackOutputs,
  ownSources,
  options: scoreOptions,
  async run(context, values) {
    if (values.model === CURRENT && values.pairs.length === 0)
      return scoreRun(context, await withCurrentModel(context, values))
    const bare = values.pairs.length > 0 || values.model !== undefined
    if (!bare) return scoreRun(context, values)
    const isNamed = values.endpoint !== undefined && !isUrl(values.endpoint)
    if (values.pairs.length === 0 || (values.model === undefined && !isNamed))
      throw new UsageError(
        '--pairs and --model belong together',
        'leave out both to judge the holdout of a run; with --endpoint NAME of SageMaker, --model may be left out',
      )
    if (values.findings.length > 0) throw noFindings()
    if (values.fromRun !== undefined) throw new UsageError('--pairs and --from-run contradict each other')
    return scoreFiles(context, values)
  },
})

const CURRENT = 'current'

/** @throws UsageError when a run is named besides, or no model is in service */
async function withCurrentModel(context: Context, values: ScoreOptions): Promise<ScoreOptions> {
  if (values.run !== 'latest')
    throw new UsageError('--run and --model current contradict each other', 'name the run to judge with --from-run')
  const root = await openStore(values.workspace, awsOf(values, context))
  const run = await runInService(root, values.source)
  context.talk.info(`the model in service is that of run ${run}`)
  return { ...values, run, model: undefined }
}
