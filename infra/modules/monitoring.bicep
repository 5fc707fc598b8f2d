import { operator, roles, tags as Tags } from '../types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags Tags
@description('Name of the Log Analytics workspace.')
param workspaceName string
@description('Name of Application Insights.')
param insightsName string
@description('Name of the action group.')
param actionGroupName string
@description('Most gigabytes of logs taken in per day, as a decimal number; later records of that day are lost.')
param dailyLogGigabytes string
@description('Who is told of alerts.')
param alertEmails string[]
@description('Name of the identity of the function app.')
param appName string
@description('Principal that sends telemetry.')
param appPrincipalId string
@description('People who operate this environment.')
param operators operator[]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
    workspaceCapping: { dailyQuotaGb: json(dailyLogGigabytes) }
    features: { disableLocalAuth: true, enableLogAccessUsingOnlyResourcePermissions: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
  }
}

resource appPublishes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, appName, roles.metricsPublisher)
  scope: insights
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.metricsPublisher)
  }
}

resource operatorsReadLogs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for person in operators: {
    name: guid(workspace.id, person.id, roles.logAnalyticsReader)
    scope: workspace
    properties: {
      principalId: person.id
      principalType: person.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.logAnalyticsReader)
    }
  }
]

// the workbook and the comparison of deployments ask the component, not the workspace behind it
resource operatorsReadTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for person in operators: {
    name: guid(insights.id, person.id, roles.logAnalyticsReader)
    scope: insights
    properties: {
      principalId: person.id
      principalType: person.type
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.logAnalyticsReader)
    }
  }
]

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'darkroom'
    enabled: true
    emailReceivers: [
      for (email, i) in alertEmails: { name: 'person${i}', emailAddress: email, useCommonAlertSchema: true }
    ]
  }
}

@description('Where telemetry goes. No secret: sending needs a token of an identity that has the role.')
output connectionString string = insights.properties.ConnectionString
@description('Resource id of Application Insights.')
output insightsId string = insights.id
