/** `s3://bucket/prefix` of the ARN of all objects below it. */
export const uriOfObjects = (arn: string): string =>
  `s3://${arn
    .split(':')
    .slice(5)
    .join(':')
    .replace(/\/?\*$/, '')}`

/** The same of several, as an output of a stack lists them. */
export const urisOfObjects = (arns: string): string[] => arns.split(',').map(uriOfObjects)
