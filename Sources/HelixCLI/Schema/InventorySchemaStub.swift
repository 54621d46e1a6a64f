enum InventorySchema { static let cluster = "", linode = "", aws = "" }
