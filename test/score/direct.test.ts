import assert from 'node:assert/strict'
import { test } from 'node:test'
import { modelIn, packModel } from '../../scripts/lib/insights/model-file.ts'
import { direct } from '../../scripts/score/local/direct.ts'
import { someModel } from '../lib/insights/tiny.ts'

for (const weight of [Number.NaN, Number.POSITIVE_INFINITY])
  test(`a score that is no number is an error, for it would flag nothing: ${weight}`, async () => {
    const trained = someModel()
    trained.weights.layers[0]?.bias.fill(weight)
    const oracle = direct(await modelIn(await packModel(trained), 'm'), new AbortController().signal)
    const scorer = await oracle.scorer(() => [])
    await assert.rejects(scorer.score({ entities: ['john%2Edoe'], ips: Uint32Array.of(1) }), {
      message: /no score for a pair of "john%2Edoe"/,
      hint: /smaller --learning-rate/,
    })
  })
