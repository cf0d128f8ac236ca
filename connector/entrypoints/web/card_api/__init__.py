"""How do record cards read and write, each in the way its CRM lets it say who asks?"""
