import { tags as Tags } from '../types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags Tags
@description('Makes names readable.')
param environmentName string
@description('Name of Application Insights.')
param insightsName string
@description('Service Bus namespace.')
param busName string
@description('Function app.')
param appName string
@description('Who is told.')
param actionGroupName string
@description('Seconds of training per day above which somebody is told.')
param trainingSecondsPerDay int
@description('GB-seconds of functions per day above which somebody is told.')
param functionGbSecondsPerDay int
@description('Queues that a burst of uploads or reports can fill.')
param uploadQueues string[]

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = { name: busName }

resource app 'Microsoft.Web/sites@2025-03-01' existing = { name: appName }

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' existing = { name: actionGroupName }

// One rule for all signals, every quarter of an hour: each rule costs while nothing happens.
resource signals 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'darkroom-${environmentName}-signals'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Darkroom ${environmentName}: pipeline'
    description: 'Failing stages, dead letters, late messages, sweeps that do not run, runs that are stuck, and training beyond the daily budget.'
    severity: 2
    enabled: true
    scopes: [insights.id]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    overrideQueryTimeRange: 'P2D'
    autoMitigate: true
    // a new environment has no records yet
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: replace(
            loadTextContent('../queries/signals.kql'),
            '{trainingSecondsPerDay}',
            string(trainingSecondsPerDay)
          )
          metricMeasureColumn: 'value'
          timeAggregation: 'Maximum'
          dimensions: [{ name: 'signal', operator: 'Include', values: ['*'] }]
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: [actionGroup.id] }
  }
}

@description('MB-milliseconds, in which Azure counts execution units, in a GB-second.')
var unitsPerGbSecond = 1024 * 1000
@description('Each queue is a time series of its own: taken together, the least of a moment is that of the emptiest queue.')
var eachQueue = [{ name: 'EntityName', operator: 'Include', values: ['*'] }]
@description('Alerts on metrics. Ten time series are free; a queue is one.')
var metricSignals = [
  {
    name: 'unread'
    description: 'A queue was not empty for an hour, so its messages are as old as that: few mean that its function does not run, many that it is too slow.'
    scope: bus.id
    namespace: 'Microsoft.ServiceBus/namespaces'
    metric: 'ActiveMessages'
    dimensions: eachQueue
    aggregation: 'Minimum'
    threshold: 0
    frequency: 'PT15M'
    window: 'PT1H'
  }
  {
    name: 'backlog'
    description: 'Events of uploads or reports pile up faster than they are handled.'
    scope: bus.id
    namespace: 'Microsoft.ServiceBus/namespaces'
    metric: 'ActiveMessages'
    dimensions: [{ name: 'EntityName', operator: 'Include', values: uploadQueues }]
    aggregation: 'Minimum'
    threshold: 1000
    frequency: 'PT15M'
    window: 'PT30M'
  }
  {
    name: 'dead-letters'
    description: 'A queue holds dead letters that nothing has taken: the functions do not run.'
    scope: bus.id
    namespace: 'Microsoft.ServiceBus/namespaces'
    metric: 'DeadletteredMessages'
    dimensions: eachQueue
    aggregation: 'Minimum'
    threshold: 0
    frequency: 'PT15M'
    window: 'PT30M'
  }
  {
    name: 'server-errors'
    description: 'The HTTP API answers with 5xx.'
    scope: app.id
    namespace: 'Microsoft.Web/sites'
    metric: 'Http5xx'
    dimensions: []
    aggregation: 'Total'
    threshold: 5
    frequency: 'PT15M'
    window: 'PT30M'
  }
  {
    name: 'execution-units'
    description: 'Functions computed more in a day than functionGbSecondsPerDay: a storm of uploads, or of requests that are refused.'
    scope: app.id
    namespace: 'Microsoft.Web/sites'
    metric: 'OnDemandFunctionExecutionUnits'
    dimensions: []
    aggregation: 'Total'
    threshold: functionGbSecondsPerDay * unitsPerGbSecond
    frequency: 'PT1H'
    window: 'P1D'
  }
]

resource metricAlert 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for signal in metricSignals: {
    name: 'darkroom-${environmentName}-${signal.name}'
    location: 'global'
    tags: tags
    properties: {
      description: signal.description
      severity: 2
      enabled: true
      scopes: [signal.scope]
      evaluationFrequency: signal.frequency
      windowSize: signal.window
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: signal.name
            metricNamespace: signal.namespace
            metricName: signal.metric
            dimensions: signal.dimensions
            timeAggregation: signal.aggregation
            operator: 'GreaterThan'
            threshold: signal.threshold
            // what a new environment has not emitted yet is refused as unknown
            skipMetricValidation: true
          }
        ]
      }
      actions: [{ actionGroupId: actionGroup.id }]
    }
  }
]
