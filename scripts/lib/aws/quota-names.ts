/**
 * Quotas of SageMaker as Service Quotas calls them, apart from what asks for them: plans and faces name them, too. Seen in listings of
 * others; code must take it when a name is not there.
 */

/** Requests at once of all serverless endpoints of an account together. */
export const SERVERLESS_CONCURRENCY = 'Maximum total concurrency that can be allocated across all serverless endpoints'
