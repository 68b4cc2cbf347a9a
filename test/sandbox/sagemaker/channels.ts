import type { CreateTrainingJobRequest } from '@aws-sdk/client-sagemaker'
import { ClientError } from './csv.ts'

/** What the container refuses of its channels before it starts. @throws ClientError that fails the job */
export function checkChannels({ InputDataConfig = [], AlgorithmSpecification }: CreateTrainingJobRequest): void {
  for (const { ChannelName = '', ContentType, InputMode } of InputDataConfig) {
    if (!['train', 'validation'].includes(ChannelName))
      throw refused(`Additional properties are not allowed ('${ChannelName}' was unexpected)`)
    if (ContentType?.split(';')[0]?.trim() !== 'text/csv') throw refused(`'${ContentType}' is not one of ['text/csv']`)
    const mode = InputMode ?? AlgorithmSpecification?.TrainingInputMode
    if (mode !== 'File') throw refused(`'${mode}' is not one of ['File']`)
  }
  if (!InputDataConfig.some(({ ChannelName }) => ChannelName === 'train'))
    throw refused("'train' is a required property")
}

const refused = (cause: string): ClientError =>
  new ClientError(
    `Unable to initialize the algorithm. Failed to validate input data configuration. (caused by ValidationError)\n\nCaused by: ${cause}`,
  )
