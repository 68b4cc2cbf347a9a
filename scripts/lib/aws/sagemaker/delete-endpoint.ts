import { DeleteEndpointCommand, type SageMakerClient } from '@aws-sdk/client-sagemaker'
import { detailsOf } from '../errors.ts'
import { ifThere, watched } from './jobs.ts'

type Look = () => Promise<{ readonly EndpointStatus?: string | undefined } | undefined>

/**
 * Asks for the deletion of an endpoint. One that is being created may refuse it (aws/amazon-sagemaker-examples#3432, undocumented): then it
 * is asked again when that has ended.
 */
export async function deleteEndpoint(
  client: SageMakerClient,
  EndpointName: string,
  look: Look,
  signal: AbortSignal,
): Promise<void> {
  const ask = () => ifThere(client.send(new DeleteEndpointCommand({ EndpointName })))
  try {
    await ask()
  } catch (error) {
    if (detailsOf(error).code !== 'ValidationException' || (await look())?.EndpointStatus !== 'Creating') throw error
    await watched(look, (now) => now?.EndpointStatus !== 'Creating', signal)
    await ask()
  }
}
