variable "root_email_address" {
  description = "E-mail address of the root user: a dedicated mailbox that several people read and that stays when a person leaves. The module records and checks it; you set it by hand, because AWS has no API to change it for a standalone account."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=.#|!&-]+@[A-Za-z0-9_.-]+\\.[A-Za-z0-9_]+$", var.root_email_address)) && length(var.root_email_address) <= 64
    error_message = "root_email_address must be an e-mail address of at most 64 characters, such as aws-root@example.com."
  }

  validation {
    condition     = !contains([for contact in [var.security, var.billing, var.operations] : lower(contact.email_address) if contact != null], lower(var.root_email_address))
    error_message = "root_email_address must differ from the addresses of the contacts: its readers can reset root's password, and the contacts must be reachable when that mailbox is lost."
  }
}

variable "security" {
  description = "Contact for security matters, abuse reports and compromised keys: name, title, e-mail address, and phone number in international form."
  type = object({
    name          = string
    title         = string
    email_address = string
    phone_number  = string
  })
  nullable = false

  validation {
    condition     = length(var.security.name) >= 1 && length(var.security.name) <= 64
    error_message = "security.name must be 1 to 64 characters."
  }

  validation {
    condition     = length(var.security.title) >= 1 && length(var.security.title) <= 50
    error_message = "security.title must be 1 to 50 characters."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=.#|!&-]+@[A-Za-z0-9_.-]+\\.[A-Za-z0-9_]+$", var.security.email_address)) && length(var.security.email_address) <= 254
    error_message = "security.email_address must be an e-mail address of at most 254 characters, such as security@example.com."
  }

  validation {
    condition     = can(regex("^\\+[1-9][0-9 ()-]{5,23}$", var.security.phone_number))
    error_message = "security.phone_number must be in international form, 7 to 25 characters, such as +49 30 1234567."
  }
}

variable "billing" {
  description = "Contact for invoices and payments: name, title, e-mail address, and phone number in international form; null: Terraform manages none, and AWS uses the primary contact."
  type = object({
    name          = string
    title         = string
    email_address = string
    phone_number  = string
  })
  default = null

  validation {
    condition     = var.billing == null ? true : length(var.billing.name) >= 1 && length(var.billing.name) <= 64
    error_message = "billing.name must be 1 to 64 characters."
  }

  validation {
    condition     = var.billing == null ? true : length(var.billing.title) >= 1 && length(var.billing.title) <= 50
    error_message = "billing.title must be 1 to 50 characters."
  }

  validation {
    condition     = var.billing == null ? true : can(regex("^[A-Za-z0-9_+=.#|!&-]+@[A-Za-z0-9_.-]+\\.[A-Za-z0-9_]+$", var.billing.email_address)) && length(var.billing.email_address) <= 254
    error_message = "billing.email_address must be an e-mail address of at most 254 characters, such as billing@example.com."
  }

  validation {
    condition     = var.billing == null ? true : can(regex("^\\+[1-9][0-9 ()-]{5,23}$", var.billing.phone_number))
    error_message = "billing.phone_number must be in international form, 7 to 25 characters, such as +49 30 1234567."
  }
}

variable "operations" {
  description = "Contact for service events and support cases: name, title, e-mail address, and phone number in international form; null: Terraform manages none, and AWS uses the primary contact."
  type = object({
    name          = string
    title         = string
    email_address = string
    phone_number  = string
  })
  default = null

  validation {
    condition     = var.operations == null ? true : length(var.operations.name) >= 1 && length(var.operations.name) <= 64
    error_message = "operations.name must be 1 to 64 characters."
  }

  validation {
    condition     = var.operations == null ? true : length(var.operations.title) >= 1 && length(var.operations.title) <= 50
    error_message = "operations.title must be 1 to 50 characters."
  }

  validation {
    condition     = var.operations == null ? true : can(regex("^[A-Za-z0-9_+=.#|!&-]+@[A-Za-z0-9_.-]+\\.[A-Za-z0-9_]+$", var.operations.email_address)) && length(var.operations.email_address) <= 254
    error_message = "operations.email_address must be an e-mail address of at most 254 characters, such as operations@example.com."
  }

  validation {
    condition     = var.operations == null ? true : can(regex("^\\+[1-9][0-9 ()-]{5,23}$", var.operations.phone_number))
    error_message = "operations.phone_number must be in international form, 7 to 25 characters, such as +49 30 1234567."
  }
}

variable "primary" {
  description = "The account holder: full name, company, postal address, two-letter country code, phone number in international form, and website; state_or_region is needed in US, CA, GB, DE, JP, IN and BR. null keeps the data from sign-up."
  type = object({
    full_name          = string
    company_name       = optional(string)
    address_line_1     = string
    address_line_2     = optional(string)
    address_line_3     = optional(string)
    city               = string
    district_or_county = optional(string)
    state_or_region    = optional(string)
    postal_code        = string
    country_code       = string
    phone_number       = string
    website_url        = optional(string)
  })
  default = null

  validation {
    condition = var.primary == null ? true : alltrue([
      for limit, texts in {
        20 = [var.primary.postal_code]
        50 = [var.primary.full_name, var.primary.company_name, var.primary.city, var.primary.district_or_county, var.primary.state_or_region]
        60 = [var.primary.address_line_1, var.primary.address_line_2, var.primary.address_line_3]
      } : alltrue([for text in texts : text == null ? true : length(text) >= 1 && length(text) <= tonumber(limit)])
    ])
    error_message = "primary must have no empty text, and at most 20 characters in postal_code, 60 in each address line, 50 in the names, city, district_or_county and state_or_region."
  }

  validation {
    condition     = var.primary == null ? true : can(regex("^[A-Z]{2}$", var.primary.country_code))
    error_message = "primary.country_code must be two capital letters (ISO 3166), such as DE."
  }

  validation {
    condition     = var.primary == null ? true : !contains(["US", "CA", "GB", "DE", "JP", "IN", "BR"], var.primary.country_code) || var.primary.state_or_region != null
    error_message = "primary.state_or_region must be given for the countries US, CA, GB, DE, JP, IN and BR."
  }

  validation {
    condition     = var.primary == null ? true : can(regex("^\\+[1-9][0-9 ()-]{5,18}$", var.primary.phone_number))
    error_message = "primary.phone_number must be in international form, 7 to 20 characters, such as +49 30 1234567."
  }

  validation {
    condition     = try(var.primary.website_url, null) == null ? true : can(regex("^https?://[^\\s]+$", var.primary.website_url)) && length(var.primary.website_url) <= 256
    error_message = "primary.website_url must be an address of at most 256 characters that starts with https:// or http://, or null."
  }
}
