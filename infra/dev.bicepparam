using 'main.bicep'

@description('Object id of the pipeline or person that deploys; empty: nobody becomes an operator.')
var deployer = readEnvironmentVariable('DEPLOYER_ID', '')

param environmentName = 'dev'
param location = readEnvironmentVariable('AZURE_LOCATION', 'swedencentral')
param trainerImage = readEnvironmentVariable('TRAINER_IMAGE')
param trainers = readEnvironmentVariable('TRAINERS', 'built-in')
// who deploys keeps packages, makes the key of the smoke test and reads telemetry; User: a person
param operators = empty(deployer)
  ? []
  : [{ id: deployer, type: readEnvironmentVariable('DEPLOYER_TYPE', 'ServicePrincipal') }]
