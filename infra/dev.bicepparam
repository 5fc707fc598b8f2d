using 'main.bicep'

@description('Identity of the pipeline that deploys; empty: a person does.')
var deployer = readEnvironmentVariable('DEPLOYER_ID', '')

param environmentName = 'dev'
param location = readEnvironmentVariable('AZURE_LOCATION', 'swedencentral')
param trainerImage = readEnvironmentVariable('TRAINER_IMAGE')
// object id of the pipeline's identity: it keeps packages, makes the key of its smoke test and reads telemetry
param operators = empty(deployer) ? [] : [{ id: deployer, type: 'ServicePrincipal' }]
