import { roles, tags as Tags } from '../types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags Tags
@description('Name of the registry.')
param name string
@description('Name of the identity that pulls.')
param pullerName string
@description('Name of the Log Analytics workspace.')
param workspaceName string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = { name: workspaceName }

resource puller 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: pullerName
  location: location
  tags: tags
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: 'Basic' }
  properties: { adminUserEnabled: false, anonymousPullEnabled: false }
}

resource pulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, pullerName, roles.acrPull)
  scope: registry
  properties: {
    principalId: puller.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.acrPull)
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: registry
  properties: {
    workspaceId: workspace.id
    logs: [
      { category: 'ContainerRegistryLoginEvents', enabled: true }
      { category: 'ContainerRegistryRepositoryEvents', enabled: true }
    ]
  }
}

@description('Host of images, to push to.')
output loginServer string = registry.properties.loginServer
