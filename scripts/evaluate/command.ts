import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { awsOf, stackOutputs } from '../lib/aws/settings.ts'
import { type Context, defineCommand } from '../lib/cli/command.ts'
import { messageOf, UsageError, UserError } from '../lib/cli/errors.ts'
import { list, number, text, type Values } from '../lib/cli/options.ts'
import { awsOptions, networksOption, workspaceOption } from '../lib/cli/shared-options.ts'
import { isCidr } from '../lib/insights/ipv6.ts'
import { networkList } from '../lib/runs/network-list.ts'
import { openProviders } from '../lib/runs/providers/providers.ts'
import { chosenRun } from '../lib/runs/workspace.ts'
import { ownSources } from '../lib/sources/own/own.ts'
import { evaluate } from './evaluate.ts'
import { type EvaluationResult, renderEvaluation } from './render.ts'
import { type Named, subjectOfFiles, subjectOfRun } from './subject.ts'

const options = {
  ...workspaceOption,
  run: text({ about: 'id of a run, or latest: the run that a command named last', value: 'ID', default: 'latest' }),
  source: list({ about: 'with --run latest: the latest run of this source', value: 'NAME' }),
  pairs: list({ about: 'files of training pairs, instead of a run; with --holdout', value: 'FILE' }),
  holdout: text({ about: 'with --pairs: file of pairs that were not trained on', value: 'FILE' }),
  holdoutDays: number({
    about: 'with --holdout: days that it covers',
    default: 1,
    min: 0.001,
    max: 36_500,
    value: 'DAYS',
  }),
  model: text({
    about: 'with --pairs: folder with model.tar.gz and calibration.json; without it only rules and counts are measured',
    value: 'DIR',
  }),
  addresses: list({
    about:
      'also attackers from these networks, such as those of hosting or VPN providers: a network, or a file with one per line',
    value: 'CIDR|FILE',
  }),
  ...networksOption,
  alertsPerDay: number({ about: 'alert budget per day to measure at', default: 10, min: 0 }),
  attacks: number({ about: 'attacks of each kind', default: 10_000, min: 100, max: 1e6, integer: true }),
  report: text({ about: 'also write the measurement as a page, one file like that of report', value: 'FILE' }),
  seed: number({ about: 'another seed, other attacks', default: 1, min: 0, max: 4294967295, integer: true }),
  ...awsOptions,
}

type Options = Values<typeof options>

export const command = defineCommand({
  name: 'evaluate',
  summary: 'measure how well attacks are told from normal accesses',
  description:
    'Makes up attackers who use the names of entities: from random networks, from the addresses and the networks of others, from near an own network, and from a list of networks. Entities are drawn evenly, or as often as they come. Every ranking is measured on the same attacks: the rules "address, /24, /16 seen before", the share of the /16, the smoothed prefix model, the score of IP Insights, and the rank that puts the score and the evidence together. What counts is the share of attacks that is found at few false alarms. With --networks the rule "never from this provider before" is measured, too. Nothing is written but the page that --report names. A model in SageMaker is asked through the endpoint that deploy made, which costs what its requests cost.',
  examples: [
    { run: 'npx zx scripts/evaluate.mjs --run latest', does: 'the holdout of the latest run' },
    {
      run: 'npx zx scripts/evaluate.mjs --run latest --addresses vpn-ranges.txt --alerts-per-day 20',
      does: 'also attackers from the networks in a file, at twenty alerts a day',
    },
    {
      run: 'npx zx scripts/evaluate.mjs --run latest --report evaluation.html',
      does: 'also as a page',
    },
    {
      run: 'npx zx scripts/evaluate.mjs --pairs train.csv --holdout holdout.csv --holdout-days 3 --model ./model --output json',
      does: 'your own files, as JSON',
    },
  ],
  stackOutputs,
  ownSources,
  options,
  async run(context, values) {
    const listed = (await networkList('--addresses', values.addresses)).filter(isCidr)
    const providers = await openProviders(values.networks)
    const { run, subject } = await namedSubject(context, values)
    const settings = {
      seed: values.seed,
      attacks: values.attacks,
      alertsPerDay: [values.alertsPerDay],
      listed,
      providers,
    }
    const progress = context.progress('evaluating')
    const evaluation = await evaluate(subject, settings, context.signal)
    progress.end()
    if (evaluation === undefined)
      throw new UserError('no pair of the holdout can be judged, so nothing can be measured', {
        hint: 'extract with a longer --holdout, or train on a longer window',
      })
    const result = { ...(run !== undefined && { run }), seed: values.seed, attacks: values.attacks, ...evaluation }
    const rendered = renderEvaluation(result)
    if (values.report === undefined) return rendered
    const report = await written(values.report, result)
    return { json: { ...rendered.json, report }, text: `${rendered.text}\n\nreport  ${report}` }
  },
})

/** @throws UserError when the page cannot be written */
async function written(file: string, result: EvaluationResult): Promise<string> {
  const path = resolve(file)
  const page = (await import('./page.ts')).evaluationPage(result)
  await writeFile(path, page).catch((error: unknown) => {
    throw new UserError(`--report ${file}: ${messageOf(error)}`, { hint: 'name a file in a folder that exists' })
  })
  return path
}

async function namedSubject(context: Context, values: Options): Promise<Named> {
  const { pairs, holdout, model, holdoutDays } = values
  const aws = awsOf(values, context)
  if (pairs.length === 0) {
    if (model !== undefined || holdout !== undefined)
      throw new UsageError('--model and --holdout belong to --pairs', 'add --pairs FILE, or leave them out for a run')
    return subjectOfRun(await chosenRun(values, context), context, aws)
  }
  if (holdout === undefined)
    throw new UsageError('--pairs needs --holdout: what was trained on tells nothing', 'add --holdout FILE')
  return subjectOfFiles({ pairs, holdout, holdoutDays, model }, aws, context.signal)
}
