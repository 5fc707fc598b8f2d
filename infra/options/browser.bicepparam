using '../resources.bicep'

param environmentName = 'option'
param trainerImage = readEnvironmentVariable('TRAINER_IMAGE')
param allowedOrigins = ['https://scans.example.com']
