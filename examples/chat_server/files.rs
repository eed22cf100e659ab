//! What the server reads from files when it starts, and again when it is told to: a file that is no good then changes nothing.

use std::sync::Arc;

use parklet::chat::Users;

use crate::accounts::Accounts;
use crate::names::FreeNames;
use crate::settings::Settings;
use crate::tls::Certificate;

/// What was read.
#[derive(Clone)]
pub(crate) struct Files {
    /// What clients are shown if they are to speak TLS.
    pub(crate) certificate: Option<Arc<Certificate>>,
    /// Who has an account, if clients need one.
    accounts: Option<Arc<Accounts>>,
}

impl Files {
    /// Reads all of them.
    ///
    /// # Errors
    ///
    /// A line for everything that is wrong.
    pub(crate) fn read(settings: &Settings) -> Result<Self, Vec<String>> {
        let certificate = certificate(settings).map_err(|problem| vec![problem]);
        match (certificate, accounts(settings)) {
            (Ok(certificate), Ok(accounts)) => Ok(Self {
                certificate,
                accounts,
            }),
            (certificate, accounts) => {
                let problems = [certificate.err(), accounts.err()];
                Err(problems.into_iter().flatten().flatten().collect())
            }
        }
    }

    /// Reads them again.
    pub(crate) fn reload(&self) {
        if let Some(certificate) = &self.certificate {
            match certificate.reload() {
                Ok(()) => tracing::info!("the certificate was read again"),
                Err(problem) => {
                    tracing::error!("{problem}; clients are shown the one from before");
                }
            }
        }
        if let Some(accounts) = &self.accounts {
            match accounts.reload() {
                Ok(count) => tracing::info!("the accounts were read again, {count} of them"),
                Err(problems) => {
                    for problem in problems {
                        tracing::error!("{problem}; the accounts are those from before");
                    }
                }
            }
        }
    }

    /// Who may come in.
    pub(crate) fn users(&self) -> Arc<dyn Users> {
        match &self.accounts {
            Some(accounts) => accounts.clone(),
            None => Arc::new(FreeNames),
        }
    }
}

fn certificate(settings: &Settings) -> Result<Option<Arc<Certificate>>, String> {
    let files = settings.tls()?;
    let certificate = files.map(|(chain, key)| Certificate::load(chain, key));
    Ok(certificate.transpose()?.map(Arc::new))
}

fn accounts(settings: &Settings) -> Result<Option<Arc<Accounts>>, Vec<String>> {
    let file = settings.accounts().map_err(|problem| vec![problem])?;
    let accounts = file.map(|file| Accounts::load(file, settings.allow_guests));
    Ok(accounts.transpose()?.map(Arc::new))
}
