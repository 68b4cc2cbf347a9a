/**
 * Where something of a run lies in a workspace in S3, from there. Written out once more, so that tests notice when it moves.
 * @param key of the object in its run, or how keys begin
 */
export const placeInS3 = (run: string, key: string): string => `${BULK.test(key) ? 'bulk' : 'runs'}/${run}/${key}`

const BULK = /^((staged|jobs|pairs|times|tmp)\/|(manifest|selection|stage-failures)\.csv$)/
