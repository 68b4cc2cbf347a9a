import { AwsError, type Call, type Incoming, type Service } from './http.ts'

type Found = { call: Call } | { error: AwsError; service: Service; unknown: boolean }

/** The call that a request makes. Services are asked in order; the last one (S3) takes what nobody else claims. */
export async function findCall(services: readonly Service[], request: Incoming): Promise<Found> {
  const last = services.at(-1)
  if (last === undefined) throw new Error('a sandbox without services')
  let asked = last
  try {
    for (const service of services) {
      asked = service
      const call = await service.match(request)
      if (call !== undefined) return { call }
    }
  } catch (error) {
    if (!(error instanceof AwsError)) throw error
    return { error, service: asked, unknown: error.code === 'NotImplemented' }
  }
  const error = new AwsError('NotImplemented', 501, `no service of this sandbox answers this request`)
  return { error, service: last, unknown: true }
}
