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
    description: 'Failing stages, dead letters, runs that are stuck, and training beyond the daily budget.'
    severity: 2
    enabled: true
    scopes: [insights.id]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    overrideQueryTimeRange: 'P2D'
    autoMitigate: true
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

@description('Alerts on metrics, one time series each: ten are free.')
var metricSignals = [
  {
    name: 'dead-letters'
    description: 'A queue holds dead letters that nothing has taken: the functions do not run.'
    scope: bus.id
    namespace: 'Microsoft.ServiceBus/namespaces'
    metric: 'DeadletteredMessages'
    aggregation: 'Minimum'
    threshold: 0
  }
  {
    name: 'backlog'
    description: 'Messages pile up faster than they are handled.'
    scope: bus.id
    namespace: 'Microsoft.ServiceBus/namespaces'
    metric: 'ActiveMessages'
    aggregation: 'Minimum'
    threshold: 1000
  }
  {
    name: 'server-errors'
    description: 'The HTTP API answers with 5xx.'
    scope: app.id
    namespace: 'Microsoft.Web/sites'
    metric: 'Http5xx'
    aggregation: 'Total'
    threshold: 5
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
      evaluationFrequency: 'PT15M'
      windowSize: 'PT30M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: signal.name
            metricNamespace: signal.namespace
            metricName: signal.metric
            timeAggregation: signal.aggregation
            operator: 'GreaterThan'
            threshold: signal.threshold
          }
        ]
      }
      actions: [{ actionGroupId: actionGroup.id }]
    }
  }
]
