import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { fitted } from '../../../scripts/lib/cli/shapes.ts'
import { type Details, pairKey } from '../../../scripts/lib/runs/alerts.ts'
import type { Verdict } from '../../../scripts/lib/runs/verdicts.ts'
import { asffOf } from '../../../scripts/score/findings/asff.ts'
import { csvRows } from '../../../scripts/score/findings/files.ts'
import type { About } from '../../../scripts/score/findings/finding.ts'
import { ocsfOf } from '../../../scripts/score/findings/ocsf.ts'
import { gather } from '../../../scripts/score/findings/write.ts'
import { aboutOf, HUB, verdictOf } from './samples.ts'
import { asffFinding, ocsfFinding } from './shapes.ts'

const gathered = (verdicts: readonly Verdict[], change: Partial<About>) =>
  gather(verdicts, aboutOf(change), 100, undefined)

/** What the logs could say about the pair of a stranger: every aspect is his words. */
const detailsBy = (words: string, events = 2): Details => ({
  first: '2026-03-10T01:00:00.000Z',
  last: '2026-03-10T02:00:00.000Z',
  accesses: events,
  aspects: Object.fromEntries(
    ['name', 'arn', 'account', 'call', 'error', 'credential', 'agent'].map((aspect) => [
      aspect,
      [{ value: words, events }],
    ]),
  ),
})

test('what the logs say is in every format: who, and what was called', () => {
  const call = (value: string, events: number) => ({
    ...detailsBy('john', events).aspects,
    account: [{ value: '111122223333', events }],
    call: [{ value, events }],
  })
  const pairs = [verdictOf({ entity: 'AIDAEXAMPLE' }), verdictOf({ entity: 'AIDAEXAMPLE', ip: '198.51.100.8' })]
  const details = new Map([
    [pairKey(pairs[0] as Verdict), { ...detailsBy('john'), aspects: call('iam.amazonaws.com:CreateUser', 1) }],
    [pairKey(pairs[1] as Verdict), { ...detailsBy('john'), aspects: call('iam.amazonaws.com:CreateAccessKey', 2) }],
  ])
  const about = { source: 'cloudtrail', kind: 'principal', details }
  const [finding = assert.fail()] = gathered(pairs, about).findings
  const asff = fitted(asffFinding, asffOf(finding, aboutOf(about), HUB))
  const { AwsApiCallAction: action } = asff.Action as { AwsApiCallAction: { Api?: string; ServiceName?: string } }
  assert.deepEqual([action.Api, action.ServiceName], ['CreateAccessKey', 'iam.amazonaws.com'])
  assert.match(
    asff.Description,
    /AIDAEXAMPLE \(john in 111122223333\).*What was done: iam:CreateAccessKey 2, iam:CreateUser 1\./,
  )
  assert.equal(asff.ProductFields['prestage/name'], 'john (3)')
  const { evidences } = fitted(ocsfFinding, ocsfOf(finding, aboutOf(about)))
  assert.deepEqual(evidences[0]?.api, { operation: 'CreateAccessKey', service: { name: 'iam.amazonaws.com' } })
  assert.equal(evidences[0]?.actor?.user.name, 'john')
  const [row] = parse([...csvRows([finding], aboutOf(about))].join(''), { columns: true }) as Record<string, string>[]
  assert.equal(row?.calls, 'iam:CreateAccessKey 2; iam:CreateUser 1')
})

test('whatever strangers write into the logs, all formats stay valid', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', ' ', ':', 'a:\u202e')), (words) => {
      const provider = { number: 2 ** 32 - 1, name: words, country: words }
      const verdict = verdictOf({ entity: 'AROAEXAMPLE', provider })
      const details = new Map([[pairKey(verdict), detailsBy(words)]])
      const about = { source: 'cloudtrail', kind: 'principal', details }
      const [finding = assert.fail()] = gathered([verdict], about).findings
      fitted(asffFinding, asffOf(finding, aboutOf(about), HUB))
      fitted(ocsfFinding, ocsfOf(finding, aboutOf(about)))
      assert.equal((parse([...csvRows([finding], aboutOf(about))].join('')) as string[][]).length, 2)
    }),
    { numRuns: 100 },
  )
})
