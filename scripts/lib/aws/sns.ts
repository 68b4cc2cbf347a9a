import { PublishCommand } from '@aws-sdk/client-sns'
import { shortened } from '../cli/format.ts'
import { regionOfTopic } from './arn.ts'
import { snsClient } from './clients.ts'
import { explaining } from './errors.ts'
import type { AwsSettings } from './settings.ts'

/** What SNS takes: "Publish", API reference. A subject has fewer than 100 characters. */
const [MOST_SUBJECT, MOST_BYTES] = [99, 262_144] as const

/** A message to whoever is subscribed. */
export interface Notice {
  /** In printable ASCII; what is too long is cut. */
  readonly subject: string
  readonly text: string
}

/** Sends a notice to a topic of SNS. @throws UserError when it is not taken */
export async function publishNotice(settings: AwsSettings, topic: string, { subject, text }: Notice): Promise<void> {
  const client = await snsClient(settings, regionOfTopic(topic))
  const sent = client.send(
    new PublishCommand({
      TopicArn: topic,
      Subject: subject.replace(/[^ -~]/g, '?').slice(0, MOST_SUBJECT),
      Message: shortened(text, MOST_BYTES),
    }),
  )
  try {
    await explaining(sent, { what: `topic ${topic}`, action: 'sns:Publish', resource: topic })
  } finally {
    client.destroy()
  }
}
