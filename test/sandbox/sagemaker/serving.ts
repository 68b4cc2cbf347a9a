import type { Model } from '../../../scripts/lib/insights/model.ts'
import * as wire from '../../../scripts/lib/insights/wire.ts'

/** What the container answers. */
export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

interface Formats {
  readonly contentType: string | undefined
  readonly accept: string | undefined
}

/** Answers an invocation in IP Insights' own formats, as the container does for endpoints and for transforms. */
export function answerOf(model: Model, { contentType = '', accept }: Formats, body: Buffer): Answer {
  try {
    const format = wire.accepted(accept)
    return { status: 200, type: format.type, body: wire.answerOf(model, wire.requestOf(contentType, body), format) }
  } catch (error) {
    if (error instanceof wire.MalformedRequest) return refused(400, error)
    if (error instanceof wire.NotAcceptable) return refused(406, error)
    throw error
  }
}

const refused = (status: number, { message }: Error): Answer => ({ status, type: 'text/plain', body: message })
