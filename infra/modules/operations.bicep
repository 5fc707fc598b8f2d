import { operator, tags as Tags } from '../types.bicep'

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
@description('Where trainings run.')
@allowed(['cpu', 't4', 'a100'])
param compute string
@description('People who operate this environment.')
param operators operator[]
@description('Seconds of training per day above which somebody is told.')
param trainingSecondsPerDay int
@description('GB-seconds of functions per day above which somebody is told.')
param functionGbSecondsPerDay int
@description('Queues that a burst of uploads or reports can fill.')
param uploadQueues string[]
@description('Amount per month, in the billing currency; 0: no budget.')
param monthlyBudget int
@description('First day of the month in which the budget began.')
param budgetStart string

module workbook 'workbook.bicep' = {
  params: {
    location: location
    tags: tags
    displayName: 'Darkroom ${environmentName}'
    insightsName: insightsName
    compute: compute
    operators: operators
  }
}

module alerts 'alerts.bicep' = {
  params: {
    location: location
    tags: tags
    environmentName: environmentName
    insightsName: insightsName
    busName: busName
    appName: appName
    actionGroupName: actionGroupName
    trainingSecondsPerDay: trainingSecondsPerDay
    functionGbSecondsPerDay: functionGbSecondsPerDay
    uploadQueues: uploadQueues
  }
}

module budget 'budget.bicep' = if (monthlyBudget > 0) {
  params: {
    name: 'darkroom-${environmentName}'
    amount: monthlyBudget
    startDate: budgetStart
    actionGroupName: actionGroupName
  }
}
