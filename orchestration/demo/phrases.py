"""Sentences of customers and agents, in the order of the pools: French, English, German,
Spanish. Comments are grouped by how happy the writer is: bad, middling, good."""

SUBJECTS = (
    ("Colis non reçu", "Retour et remboursement", "Facture", "Article abîmé", "Carte de fidélité"),
    ("Parcel not received", "Return and refund", "Invoice", "Damaged item", "Loyalty card"),
    ("Paket nicht erhalten", "Rückgabe", "Rechnung", "Artikel beschädigt", "Kundenkarte"),
    ("Paquete no recibido", "Devolución", "Factura", "Artículo dañado", "Tarjeta de cliente"),
)
NOTES = (
    (
        "Cliente mécontente, colis en retard, geste commercial accordé.",
        "Demande de retour, étiquette envoyée.",
        "Rappeler demain matin.",
        "Carte perdue, nouvelle carte envoyée par la poste.",
    ),
    (
        "Customer upset about the late parcel; voucher offered.",
        "Return requested, label sent.",
        "Call back tomorrow morning.",
        "Lost loyalty card, new one posted.",
    ),
    (
        "Kunde verärgert, Paket verspätet, Gutschein angeboten.",
        "Rückgabe gewünscht, Etikett verschickt.",
        "Morgen früh zurückrufen.",
        "Karte verloren, neue Karte verschickt.",
    ),
    (
        "Cliente enfadado por el retraso; vale ofrecido.",
        "Pide devolución, etiqueta enviada.",
        "Llamar mañana por la mañana.",
        "Tarjeta perdida, se envía otra.",
    ),
)
COMMENTS = (
    (
        ("Livraison très lente, je suis déçu.", "Service client injoignable !"),
        ("Correct, sans plus.", "Produit bien mais emballage excessif."),
        ("Parfait, je recommande.", "Équipe du magasin adorable 😊"),
    ),
    (
        ("Delivery took ages, very disappointed.", "Nobody answers the phone!"),
        ("It's OK.", "Good product, too much packaging."),
        ("Brilliant, would recommend.", "Lovely staff in the store 😊"),
    ),
    (
        ("Lieferung viel zu langsam, enttäuscht.", "Hotline nicht erreichbar!"),
        ("Ganz okay.", "Gutes Produkt, zu viel Verpackung."),
        ("Perfekt, gerne wieder.", "Sehr nettes Team in der Filiale 😊"),
    ),
    (
        ("La entrega tardó muchísimo, decepcionado.", "¡Nadie contesta al teléfono!"),
        ("Normal.", "Buen producto, demasiado embalaje."),
        ("Perfecto, lo recomiendo.", "El personal de la tienda es encantador 😊"),
    ),
)
TITLES = (
    ("Décevant", "Moyen", "Très bien"),
    ("Disappointing", "So-so", "Very good"),
    ("Enttäuschend", "Mittel", "Sehr gut"),
    ("Decepcionante", "Regular", "Muy bien"),
)
