"""VoipNow behind the port: its UnifiedAPI over HTTPS, asked again and again for the calls there are."""
