import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  answersUsd,
  type CostItem,
  INSTANCES,
  PRICES,
  SCALING_USD,
  servingUsd,
  totalOf,
} from '../../scripts/lib/runs/cost.ts'
import { copiesOf, readingFees } from '../../scripts/lib/runs/read-cost.ts'
import { ROOT } from '../support/run-script.ts'

/** What the README says a night is. */
const NIGHT = { objects: 5000, gb: 2.5, trainingHours: 0.25, lists: 200 }
const NIGHTS = 30
const KEPT_DAYS = 90

const each = (count: number, price: number): CostItem => ({ what: '', count, each: price })

const night = totalOf([
  each(NIGHT.lists, PRICES.listRequest),
  each(NIGHT.objects, PRICES.copyRequest),
  // Each object is read by the extraction, and its head by the proof.
  each(2 * NIGHT.objects, PRICES.getRequest),
  each(NIGHT.gb * 1e9, PRICES.athenaByte),
  each(NIGHT.trainingHours, INSTANCES['ml.m5.large']?.usdPerHour ?? Number.NaN),
])
const load = { objects: NIGHT.objects, bytes: NIGHT.gb * 1e9 }
const encrypted = totalOf(readingFees({ ...load, kms: 'object' }))
const infrequent = totalOf(readingFees(copiesOf(load, 'STANDARD_IA')))
const kept = NIGHT.gb * KEPT_DAYS * PRICES.s3GBMonth

const rows: [label: RegExp, usd: number][] = [
  [/idle, without runs/, 0],
  [/the same with `--encryption kms`/, PRICES.kmsKeyMonth],
  [/every night 5,000 objects, 2.5 GB/, NIGHTS * night],
  [/the same of logs that are encrypted with KMS/, NIGHTS * (night + encrypted)],
  [/the same of logs in STANDARD_IA/, NIGHTS * (night + infrequent)],
  [/the same without `clean`, kept 90 days/, NIGHTS * night + kept],
  [/100,000 pairs scored by a serverless endpoint of 3,072 MB/, NIGHTS * answersUsd(100_000, 3072)],
  [/one `ml.m5.large`, with its disk and the alarms/, 730 * ((servingUsd('ml.m5.large') ?? Number.NaN) + SCALING_USD)],
]

for (const [label, usd] of rows)
  test(`README: the cost of a month: ${label.source}`, () => {
    const line = readFileSync(`${ROOT}README.md`, 'utf8')
      .split('\n')
      .find((one) => one.startsWith('| ') && label.test(one))
    assert.equal(line?.split('|').at(-2)?.trim(), usd.toFixed(2))
  })

test('README: with the date of the prices', () =>
  assert.ok(readFileSync(`${ROOT}README.md`, 'utf8').includes(`(${PRICES.region}, ${PRICES.date})`)))
