import { tags as Tags } from '../types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags Tags
@description('Name of the plan.')
param planName string
@description('Name of the app.')
param name string
@description('Name of the identity of the app.')
param identityName string
@description('Client id of that identity.')
param identityClientId string
@description('Version of Node.')
param nodeVersion string
@description('Most instances.')
param maximumInstances int
@description('Memory of an instance.')
param instanceMemoryMB int
@description('Account of the functions host.')
param hostStorageName string
@description('Container of the deployed packages.')
param packageContainer string
@description('Address of a package to deploy; empty: code is deployed by other means.')
param packageUri string
@description('Account of scans, datasets and models.')
param dataStorageName string
@description('Service Bus namespace.')
param busName string
@description('Cosmos DB account.')
param cosmosName string
@description('Name of the database.')
param databaseName string
@description('Training job.')
param jobName string
@description('Which trainers its image has.')
param trainers string
@description('Settings by which the app finds Azure Machine Learning; empty: there is none.')
param machineLearningSettings { *: string }
@description('Origins of web pages that call the API in a browser; empty: none.')
param allowedOrigins string[]
@description('Further settings of the app; those below stand.')
param appSettings { *: string }
@description('Application Insights connection string.')
param insightsConnectionString string
@description('Schedule of the sweep.')
param sweepSchedule string
@description('Bytes of the largest request body.')
param maxRequestBytes int

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = { name: identityName }

resource job 'Microsoft.App/jobs@2026-01-01' existing = { name: jobName }

@description('Domain of storage accounts in this cloud.')
var storageDomain = environment().suffixes.storage

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identity.id
    siteConfig: {
      http20Enabled: true
      minTlsVersion: '1.2'
      cors: { allowedOrigins: allowedOrigins, supportCredentials: false }
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: 'https://${hostStorageName}.blob.${storageDomain}/${packageContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity.id }
        }
      }
      runtime: { name: 'node', version: nodeVersion }
      scaleAndConcurrency: {
        alwaysReady: []
        maximumInstanceCount: maximumInstances
        instanceMemoryMB: instanceMemoryMB
        triggers: { http: { perInstanceConcurrency: 16 } }
      }
    }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: union(appSettings, machineLearningSettings, {
      AzureWebJobsStorage__blobServiceUri: 'https://${hostStorageName}.blob.${storageDomain}'
      AzureWebJobsStorage__tableServiceUri: 'https://${hostStorageName}.table.${storageDomain}'
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      AZURE_CLIENT_ID: identityClientId
      SERVICEBUS__fullyQualifiedNamespace: '${busName}.servicebus.windows.net'
      SERVICEBUS__credential: 'managedidentity'
      SERVICEBUS__clientId: identityClientId
      COSMOS__accountEndpoint: 'https://${cosmosName}.documents.azure.com'
      COSMOS_DATABASE: databaseName
      BLOB__serviceUri: 'https://${dataStorageName}.blob.${storageDomain}'
      COMPUTE__jobId: job.id
      TRAINERS: empty(trainers) ? 'built-in' : trainers
      APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
      SWEEP_SCHEDULE: sweepSchedule
      FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: string(maxRequestBytes)
      // at / the host would otherwise show a page of its own, and not ask the app
      AzureWebJobsDisableHomepage: 'true'
      // glibc would raise this to 32 MB and keep what pictures leave behind in its heaps (docs/designs/2026-11-ingest-budget.md)
      MALLOC_MMAP_THRESHOLD_: '1048576'
      // onnxruntime and the SDK of Application Insights report on their own use to Microsoft unless told not to
      ORT_DISABLE_TELEMETRY: '1'
      APPLICATIONINSIGHTS_STATSBEAT_DISABLED: 'true'
      APPLICATIONINSIGHTS_SDKSTATS_DISABLED: 'true'
    })
  }

  resource noFtpPassword 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource noScmPassword 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
    dependsOn: [noFtpPassword]
  }
}

resource package 'Microsoft.Web/sites/extensions@2025-03-01' = if (packageUri != '') {
  parent: app
  name: 'onedeploy'
  #disable-next-line BCP187 // the type has no published shape for this name
  properties: { packageUri: packageUri, remoteBuild: false }
  dependsOn: [app::settings]
}

@description('Name of the app.')
output name string = app.name
@description('Address of the HTTP API.')
output endpoint string = 'https://${app.properties.defaultHostName}/api/v1'
