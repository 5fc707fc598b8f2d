import { operator, roles, tags as Tags } from '../types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags Tags
@description('Name that people see.')
param displayName string
@description('Name of Application Insights.')
param insightsName string
@description('Where trainings run.')
@allowed(['cpu', 't4', 'a100'])
param compute string

@description('People who operate this environment.')
param operators operator[]

@description('USD for an hour of training, at list price (infra/costs/prices.ts).')
var trainingHour = { cpu: '0.43', t4: '1.56', a100: '6.35' }[compute]
@description('The workbook, generated from infra/queries.')
var template = string(loadJsonContent('../workbook.json'))

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(insights.id, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    sourceId: insights.id
    serializedData: replace(
      replace(replace(template, '{insightsId}', insights.id), '{usdPerTrainingHour}', trainingHour),
      '{usdPerGbSecond}',
      '0.000026'
    )
    version: '1.0'
  }
}

resource operatorsOpen 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for person in operators: {
    name: guid(workbook.id, person.id, roles.workbookReader)
    scope: workbook
    properties: {
      principalId: person.id
      principalType: person.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.workbookReader)
    }
  }
]
