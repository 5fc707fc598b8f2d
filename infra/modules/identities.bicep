import { tags as Tags } from '../types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags Tags
@description('Name of the identity of the function app.')
param appName string

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: appName
  location: location
  tags: tags
}

@description('Client id of the function app.')
output appClientId string = app.properties.clientId
@description('Principal of the function app.')
output appPrincipalId string = app.properties.principalId
