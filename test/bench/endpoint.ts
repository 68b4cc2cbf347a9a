import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serverOf } from '../../scripts/deploy/local/server.ts'
import { validated } from '../../scripts/lib/insights/hyperparameters.ts'
import { modelOf } from '../../scripts/lib/insights/model.ts'
import { initialWeights } from '../../scripts/lib/insights/network.ts'
import { shapeOf } from '../../scripts/lib/insights/trainer.ts'
import { CHOICE } from './train.ts'

const PER_SECOND = 500
const SECONDS = 6
/** Requests of the first moments, while everything is compiled, do not count. */
const WARM = PER_SECOND

/** Milliseconds from a request to its answer. */
export interface EndpointFigures {
  readonly median: number
  readonly p99: number
}

/** Asks the loopback endpoint for one pair at a time, 500 times a second, from the same process: what the client takes is in it. */
export async function benchEndpoint(): Promise<EndpointFigures> {
  const set = validated({ vector_dim: CHOICE['vector-dim'], num_entity_vectors: 1000 })
  const description = {
    format: 'prestage-ip-insights',
    version: 1,
    hyperparameters: set,
    seed: 1,
    prefixes: { lengths: [8, 12, 16, 20, 24], rows: 1 << 12 },
    trainedOn: { pairs: 1, entities: 1 },
    entityCodec: 'percent',
  } as const
  const model = modelOf(description, initialWeights(shapeOf(set, 1 << 12), 1), new Map())
  const server = await serverOf({ model, digest: '', host: '127.0.0.1' })
  await server.listen({ port: 0, host: '127.0.0.1' })
  const { port } = server.server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true })
  try {
    const answers: Promise<number>[] = []
    const started = performance.now()
    while (answers.length < PER_SECOND * SECONDS) {
      const due = ((performance.now() - started) / 1000) * PER_SECOND
      while (answers.length < due) answers.push(ask(port, agent, answers.length))
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const sorted = Float64Array.from((await Promise.all(answers)).slice(WARM)).sort()
    const at = (share: number) => sorted[Math.floor(share * sorted.length)] ?? Number.NaN
    return { median: at(0.5), p99: at(0.99) }
  } finally {
    agent.destroy()
    await server.close()
  }
}

async function ask(port: number, agent: Agent, n: number): Promise<number> {
  const started = performance.now()
  const asked = request({ port, agent, method: 'POST', path: '/invocations', headers: { 'content-type': 'text/csv' } })
  asked.end(`user_${n % 100},10.${n % 200}.3.4`)
  const [answer] = await once(asked, 'response')
  if (answer.statusCode !== 200) throw new Error(`answered with ${answer.statusCode}`)
  answer.resume()
  await once(answer, 'end')
  return performance.now() - started
}

export const describeEndpoint = ({ median, p99 }: EndpointFigures): string =>
  `loopback endpoint at ${PER_SECOND} requests a second: median ${median.toFixed(2)} ms, 99th percentile ${p99.toFixed(2)} ms (wanted: below 5)`
