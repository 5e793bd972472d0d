// The addresses of sign-ins that leave the app: in links, and as the redirect URI that is registered at Microsoft and Google. Pure.

export const CALLBACK = '/consent/callback';

export const linkUrl = (baseUrl: string, link: string): string => `${baseUrl}/consent/links/${link}`;
export const callbackUrl = (baseUrl: string): string => baseUrl + CALLBACK;
