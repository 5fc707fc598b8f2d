using 'main.bicep'

param environmentName = 'dev'
param location = readEnvironmentVariable('AZURE_LOCATION', 'swedencentral')
param trainerImage = readEnvironmentVariable('TRAINER_IMAGE')
