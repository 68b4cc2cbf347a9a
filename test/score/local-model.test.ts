import assert from 'node:assert/strict'
import { test } from 'node:test'
import { modelIn, packModel } from '../../scripts/lib/insights/model.ts'
import { inProcess } from '../../scripts/score/local/model.ts'
import { someModel } from '../lib/insights/tiny.ts'

for (const weight of [Number.NaN, Number.POSITIVE_INFINITY])
  test(`a score that is no number is an error, for it would flag nothing: ${weight}`, async () => {
    const trained = someModel()
    trained.weights.layers[0]?.bias.fill(weight)
    const session = inProcess(await modelIn(await packModel(trained), 'm'), new AbortController().signal)
    const scorer = await session.scorer(() => [])
    await assert.rejects(scorer.score({ entities: ['john%2Edoe'], ips: Uint32Array.of(1) }), {
      message: /scores a pair of "john%2Edoe" as /,
      hint: /smaller --learning-rate/,
    })
  })
