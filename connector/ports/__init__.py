"""At which Protocols do services and adapters meet?"""
