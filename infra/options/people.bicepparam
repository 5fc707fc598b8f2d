using '../resources.bicep'

param environmentName = 'option'
param trainerImage = readEnvironmentVariable('TRAINER_IMAGE')
param operators = [{ id: '11111111-1111-1111-1111-111111111111', type: 'User' }]
param alertEmails = ['ops@example.com']
param monthlyBudget = 50
param budgetStart = '2027-01-01'
